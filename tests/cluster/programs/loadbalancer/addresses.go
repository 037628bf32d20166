package main

import (
	"cmp"
	"net/netip"
	"slices"

	core "k8s.io/api/core/v1"
)

// Addresses says which addresses there are.
type Addresses struct {
	pool, dynamic netip.Prefix
}

// plan says which Services' addresses have to be written: the zero address takes one away. A
// Service keeps what it has for as long as it may have it; among new ones the oldest goes first.
func (a Addresses) plan(services []*core.Service) map[*core.Service]netip.Addr {
	var ours []*core.Service
	for _, service := range services {
		if isOurs(service) {
			ours = append(ours, service)
		}
	}
	slices.SortFunc(ours, byAge)

	used := map[netip.Addr]bool{}
	var waiting []*core.Service
	for _, service := range ours {
		has := current(service)
		if has.IsValid() && a.mayKeep(service, has) && !used[has] {
			used[has] = true
		} else {
			waiting = append(waiting, service)
		}
	}
	changes := map[*core.Service]netip.Addr{}
	for _, service := range waiting {
		address := a.choose(service, used)
		used[address] = true
		if address != current(service) {
			changes[service] = address
		}
	}
	return changes
}

func (a Addresses) mayKeep(service *core.Service, has netip.Addr) bool {
	if wanted := service.Spec.LoadBalancerIP; wanted != "" {
		return wanted == has.String() && a.pool.Contains(has)
	}
	return a.dynamic.Contains(has)
}

// choose returns the zero address if there is none for this Service.
func (a Addresses) choose(service *core.Service, used map[netip.Addr]bool) netip.Addr {
	if wanted := service.Spec.LoadBalancerIP; wanted != "" {
		address, err := netip.ParseAddr(wanted)
		if err != nil || !a.pool.Contains(address) || used[address] {
			return netip.Addr{}
		}
		return address
	}
	// The first address of a network is not a host's.
	for address := a.dynamic.Masked().Addr().Next(); a.dynamic.Contains(address); address = address.Next() {
		if !used[address] {
			return address
		}
	}
	return netip.Addr{}
}

func isOurs(service *core.Service) bool {
	return service.Spec.Type == core.ServiceTypeLoadBalancer &&
		service.Spec.LoadBalancerClass == nil &&
		service.DeletionTimestamp == nil
}

func current(service *core.Service) netip.Addr {
	if ingress := service.Status.LoadBalancer.Ingress; len(ingress) == 1 {
		if address, err := netip.ParseAddr(ingress[0].IP); err == nil {
			return address
		}
	}
	return netip.Addr{}
}

func byAge(a, b *core.Service) int {
	return cmp.Or(
		a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		cmp.Compare(a.Namespace, b.Namespace),
		cmp.Compare(a.Name, b.Name),
	)
}

package main

import (
	"net/netip"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var addresses = Addresses{
	pool:    netip.MustParsePrefix("10.0.0.0/24"),
	dynamic: netip.MustParsePrefix("10.0.0.0/30"),
}

// service is one that was created `age` seconds after the first.
func service(name string, age int, wants, has string) *core.Service {
	made := &core.Service{
		ObjectMeta: meta.ObjectMeta{Name: name, CreationTimestamp: meta.NewTime(time.Unix(int64(age), 0))},
		Spec:       core.ServiceSpec{Type: core.ServiceTypeLoadBalancer, LoadBalancerIP: wants},
	}
	if has != "" {
		made.Status.LoadBalancer.Ingress = []core.LoadBalancerIngress{{IP: has}}
	}
	return made
}

func TestPlan(t *testing.T) {
	class, nodePort := service("class", 0, "", ""), service("node-port", 0, "", "")
	class.Spec.LoadBalancerClass = new(string)
	nodePort.Spec.Type = core.ServiceTypeNodePort
	for name, test := range map[string]struct {
		services []*core.Service
		changes  map[string]string
	}{
		"the oldest first": {
			[]*core.Service{service("b", 2, "", ""), service("a", 1, "", "")},
			map[string]string{"a": "10.0.0.1", "b": "10.0.0.2"},
		},
		"what a Service has it keeps": {
			[]*core.Service{service("a", 1, "", ""), service("b", 2, "", "10.0.0.1")},
			map[string]string{"a": "10.0.0.2"},
		},
		"two that say they have the same": {
			[]*core.Service{service("a", 1, "", "10.0.0.1"), service("b", 2, "", "10.0.0.1")},
			map[string]string{"b": "10.0.0.2"},
		},
		"asked for, in the pool": {
			[]*core.Service{service("a", 1, "10.0.0.200", "")},
			map[string]string{"a": "10.0.0.200"},
		},
		"asked for another than it has": {
			[]*core.Service{service("a", 1, "10.0.0.200", "10.0.0.1")},
			map[string]string{"a": "10.0.0.200"},
		},
		"asked for, out of the pool": {
			[]*core.Service{service("a", 1, "10.0.1.1", ""), service("b", 1, "fd00::1", ""), service("c", 1, "x", "")},
			map[string]string{},
		},
		"asked for, another's": {
			[]*core.Service{service("a", 1, "", "10.0.0.1"), service("b", 2, "10.0.0.1", "10.0.0.2")},
			map[string]string{"b": "invalid IP"},
		},
		"asks for none any more": {
			[]*core.Service{service("a", 1, "", "10.0.0.200")},
			map[string]string{"a": "10.0.0.1"},
		},
		"none left": {
			[]*core.Service{service("a", 1, "", ""), service("b", 2, "", ""), service("c", 3, "", ""), service("d", 4, "", "")},
			map[string]string{"a": "10.0.0.1", "b": "10.0.0.2", "c": "10.0.0.3"},
		},
		"not ours": {[]*core.Service{class, nodePort}, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			changes := addresses.plan(test.services)
			if len(changes) != len(test.changes) {
				t.Errorf("%v changes, not %v", changes, test.changes)
			}
			for service, address := range changes {
				if test.changes[service.Name] != address.String() {
					t.Errorf("%s got %v", service.Name, address)
				}
			}
		})
	}
}

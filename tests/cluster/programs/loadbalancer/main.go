// The load balancer of the test cluster: it gives Services of type LoadBalancer an address of a
// pool, and kube-proxy serves that address. `spec.loadBalancerIP` gets exactly what it asks for, or
// nothing: an address outside the pool, or another Service's, leaves the Service pending.
package main

import (
	"context"
	"flag"
	"log"
	"net/netip"
	"os/signal"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// A status that was written may be refused or lost, and nothing else would bring the Service back.
const resync = 30 * time.Second

func main() {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the API server")
	pool := flag.String("pool", "", "every address that a Service may ask for, as a prefix")
	dynamic := flag.String("dynamic", "", "the part of it that is given to Services that ask for none, as a prefix")
	flag.Parse()
	addresses := Addresses{pool: netip.MustParsePrefix(*pool), dynamic: netip.MustParsePrefix(*dynamic)}

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	config.UserAgent = "meshctl-tests-loadbalancer"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	balance(ctx, client, addresses)
}

// balance runs until ctx ends: after every change of a Service it looks at all of them.
func balance(ctx context.Context, client kubernetes.Interface, addresses Addresses) {
	factory := informers.NewSharedInformerFactory(client, resync)
	services := factory.Core().V1().Services()
	changed := make(chan struct{}, 1)
	notify := func(any) {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	if _, err := services.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    notify,
		UpdateFunc: func(_, now any) { notify(now) },
		DeleteFunc: notify,
	}); err != nil {
		log.Fatal(err)
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
			assign(ctx, client, services.Lister(), addresses)
		}
	}
}

// assign brings every Service's status to what the pool has for it.
func assign(ctx context.Context, client kubernetes.Interface, lister listers.ServiceLister, addresses Addresses) {
	services, err := lister.List(labels.Everything())
	if err != nil {
		log.Print(err)
		return
	}
	for service, address := range addresses.plan(services) {
		if err := write(ctx, client, service, address); err != nil {
			log.Printf("%s/%s: %v", service.Namespace, service.Name, err)
		}
	}
}

// write fails if the Service has changed since it was read: then its next version is on its way here.
func write(ctx context.Context, client kubernetes.Interface, service *core.Service, address netip.Addr) error {
	service = service.DeepCopy()
	service.Status.LoadBalancer.Ingress = nil
	if address.IsValid() {
		service.Status.LoadBalancer.Ingress = []core.LoadBalancerIngress{{IP: address.String()}}
	}
	_, err := client.CoreV1().Services(service.Namespace).UpdateStatus(ctx, service, meta.UpdateOptions{})
	return err
}

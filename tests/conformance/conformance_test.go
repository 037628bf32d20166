// Package conformance runs the suite of the Gateway API against the meshctl that is installed in a cluster.
package conformance

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/gateway-api/conformance"
	report "sigs.k8s.io/gateway-api/conformance/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/features"
)

var profiles = []suite.ConformanceProfileName{
	suite.GatewayHTTPConformanceProfileName,
	suite.GatewayGRPCConformanceProfileName,
}

// Every feature of these profiles, by name: one that a later suite adds is to be looked at, not
// taken as supported (TestFeatures says when).
var supported = []features.FeatureName{
	// Core
	features.SupportGateway,
	features.SupportReferenceGrant,
	features.SupportHTTPRoute,
	features.SupportGRPCRoute,

	features.SupportGatewayPort8080,
	features.SupportGatewayStaticAddresses,
	features.SupportGatewayHTTPListenerIsolation,
	features.SupportGatewayHTTPSListenerDetectMisdirectedRequests,
	features.SupportGatewayInfrastructure,
	features.SupportGatewayAddressEmpty,
	features.SupportGatewayBackendClientCertificate,
	features.SupportGatewayFrontendClientCertificateValidation,
	features.SupportGatewayFrontendClientCertificateValidationInsecureFallback,
	features.SupportListenerSet,

	features.SupportHTTPRouteDestinationPortMatching,
	features.SupportHTTPRouteBackendRequestHeaderModification,
	features.SupportHTTPRouteQueryParamMatching,
	features.SupportHTTPRouteMethodMatching,
	features.SupportHTTPRouteResponseHeaderModification,
	features.SupportHTTPRoutePortRedirect,
	features.SupportHTTPRouteSchemeRedirect,
	features.SupportHTTPRoutePathRedirect,
	features.SupportHTTPRoute303RedirectStatusCode,
	features.SupportHTTPRoute307RedirectStatusCode,
	features.SupportHTTPRoute308RedirectStatusCode,
	features.SupportHTTPRouteHostRewrite,
	features.SupportHTTPRoutePathRewrite,
	features.SupportHTTPRouteRequestMirror,
	features.SupportHTTPRouteRequestMultipleMirrors,
	features.SupportHTTPRouteRequestPercentageMirror,
	features.SupportHTTPRouteRequestTimeout,
	features.SupportHTTPRouteBackendTimeout,
	features.SupportHTTPRouteRetry,
	features.SupportHTTPRouteRetryBackendTimeout,
	features.SupportHTTPRouteRetryConnectionError,
	features.SupportHTTPRouteParentRefPort,
	features.SupportHTTPRouteBackendProtocolH2C,
	features.SupportHTTPRouteBackendProtocolWebSocket,
	features.SupportHTTPRouteNamedRouteRule,
	features.SupportHTTPRouteCORS,

	features.SupportGRPCRouteNamedRouteRule,

	features.SupportBackendTLSPolicy,
	features.SupportBackendTLSPolicySANValidation,
}

// What differs between runs comes as the suite's own flags: the class, the addresses, the version,
// the report's path, a single test's name.
func TestConformance(t *testing.T) {
	options := conformance.DefaultOptions(t)
	options.ConformanceProfiles = profiles
	options.SupportedFeatures = supported
	options.Implementation = report.Implementation{
		Organization: "meshctl",
		Project:      "meshctl",
		URL:          "https://meshctl.dev",
		Contact:      []string{"https://meshctl.dev"},
		Version:      options.Implementation.Version,
	}
	conformance.RunConformanceWithOptions(t, options)
}

// TestFeatures holds the list above to the suite's: GRPCRoute's own features are in no profile there.
func TestFeatures(t *testing.T) {
	all := features.SetsToNamesSet(features.GRPCRouteExtendedFeatures)
	for _, profile := range []suite.ConformanceProfile{
		suite.GatewayHTTPConformanceProfile,
		suite.GatewayGRPCConformanceProfile,
	} {
		all = all.Union(profile.CoreFeatures).Union(profile.ExtendedFeatures)
	}
	listed := sets.New(supported...)
	if !listed.Equal(all) {
		t.Errorf("not listed: %v; not the suite's: %v", sets.List(all.Difference(listed)), sets.List(listed.Difference(all)))
	}
}

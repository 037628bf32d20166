//go:build tools

// Package conformance names the backend of the conformance suite, which tests/cluster builds, so that go.mod keeps it.
package conformance

import _ "sigs.k8s.io/gateway-api/conformance/echo-basic"

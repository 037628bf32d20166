// Compares two reports of the conformance suite: compare COMMITTED NEW. It fails if the new one has
// fewer tests passed in any part of a profile.
package main

import (
	"fmt"
	"maps"
	"os"
	"slices"

	report "sigs.k8s.io/gateway-api/conformance/apis/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) != 3 {
		fail("usage: compare COMMITTED NEW")
	}
	before, now := read(os.Args[1]), read(os.Args[2])
	fewer := false
	for _, part := range parts(before, now) {
		fmt.Printf("%-24s %3d passed (%d before), %d failed, %d skipped\n", part,
			now[part].Passed, before[part].Passed, now[part].Failed, now[part].Skipped)
		fewer = fewer || now[part].Passed < before[part].Passed
	}
	if fewer {
		fail("fewer tests passed than in the committed report")
	}
}

// read has the counts of each profile's core and extended tests.
func read(path string) map[string]report.Statistics {
	text, err := os.ReadFile(path)
	if err != nil {
		fail(err.Error())
	}
	var conformance report.ConformanceReport
	if err := yaml.UnmarshalStrict(text, &conformance); err != nil {
		fail(path + ": " + err.Error())
	}
	counts := map[string]report.Statistics{}
	for _, profile := range conformance.ProfileReports {
		counts[profile.Name+" core"] = profile.Core.Statistics
		if profile.Extended != nil {
			counts[profile.Name+" extended"] = profile.Extended.Statistics
		}
	}
	return counts
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}

func parts(reports ...map[string]report.Statistics) []string {
	all := map[string]bool{}
	for _, counts := range reports {
		for part := range counts {
			all[part] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Package simtest is what the tests of simulated clusters share. Each package with a simulator has a TestSim that runs
// lives, each told by its seed alone, and shows by breaking its own rules that the simulator would notice.
//
// Only tests import it.
package simtest

// Package metrics counts what happens and writes it in the text format of Prometheus.
package metrics

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// Kind is that of a measure.
type Kind string

const (
	Counter Kind = "counter"
	Gauge   Kind = "gauge"
)

type measure struct {
	kind   Kind
	help   string
	values map[string]float64
}

// Set is a set of measures. Those that are looked up rather than counted are brought by its sources.
type Set struct {
	mu       sync.Mutex
	measures map[string]*measure
	sources  []func(*Set)
}

// New makes an empty set.
func New() *Set { return &Set{measures: map[string]*measure{}} }

// Define names a measure.
func (s *Set) Define(name string, kind Kind, help string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.measures[name] = &measure{kind: kind, help: help, values: map[string]float64{}}
}

// Source has a function set measures before each time they are written.
func (s *Set) Source(look func(*Set)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources = append(s.sources, look)
}

// Add adds to a measure that was defined. Labels are names and values by turns.
func (s *Set) Add(name string, amount float64, labels ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.measures[name].values[render(labels)] += amount
}

// Put sets a measure that was defined.
func (s *Set) Put(name string, value float64, labels ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.measures[name].values[render(labels)] = value
}

// Clear forgets all values of a measure.
func (s *Set) Clear(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.measures[name].values)
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func render(labels []string) string {
	if len(labels) == 0 {
		return ""
	}
	var parts []string
	for i := 0; i+1 < len(labels); i += 2 {
		parts = append(parts, labels[i]+`="`+escaper.Replace(labels[i+1])+`"`)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// Write writes all measures.
func (s *Set) Write(to io.Writer) error {
	s.mu.Lock()
	sources := slices.Clone(s.sources)
	s.mu.Unlock()
	for _, look := range sources {
		look(s)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range sorted(s.measures) {
		m := s.measures[name]
		if _, err := fmt.Fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, m.help, name, m.kind); err != nil {
			return fmt.Errorf("cannot write measures: %w", err)
		}
		for _, labels := range sorted(m.values) {
			if _, err := fmt.Fprintf(to, "%s%s %v\n", name, labels, m.values[labels]); err != nil {
				return fmt.Errorf("cannot write measures: %w", err)
			}
		}
	}
	return nil
}

func sorted[V any](of map[string]V) []string {
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

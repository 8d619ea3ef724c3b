// bench_go_json: a plugin of the official Go tool chain of usual size: its configuration is JSON, with patterns.
//
// {"header": "x-bench", "value": "go", "paths": ["^/"]}: a response to a path that matches gets the header. The bench
// measures how long it takes from start to the first answer.
package main

import (
	"encoding/json"
	"fmt"
	"regexp"

	abi "weir/examples/abi/go"
)

func init() { abi.Register(func() abi.Plugin { return &plugin{} }) }

func main() {}

type plugin struct {
	Header string
	Value  string
	Paths  []string

	patterns []*regexp.Regexp
}

func (p *plugin) Configure(configuration string) bool {
	if err := json.Unmarshal([]byte(configuration), p); err != nil {
		abi.Error(fmt.Sprintf("not a configuration: %v", err))
		return false
	}
	for _, path := range p.Paths {
		pattern, err := regexp.Compile(path)
		if err != nil {
			abi.Error(fmt.Sprintf("not a pattern: %v", err))
			return false
		}
		p.patterns = append(p.patterns, pattern)
	}
	return true
}

func (p *plugin) NewStream() abi.Stream { return &stream{plugin: p} }

type stream struct {
	abi.Passive
	plugin  *plugin
	matches bool
}

func (s *stream) OnRequestHeaders(bool) abi.Action {
	path, _ := abi.RequestHeaders.Get(":path")
	for _, pattern := range s.plugin.patterns {
		s.matches = s.matches || pattern.MatchString(path)
	}
	return abi.Continue
}

func (s *stream) OnResponseHeaders(bool) abi.Action {
	if s.matches {
		abi.ResponseHeaders.Add(s.plugin.Header, s.plugin.Value)
	}
	return abi.Continue
}

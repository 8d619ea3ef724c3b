// auth: asks an authorisation service about each request, and lets it pass or answers in its place.
//
// The configuration is the name of the cluster to ask. No authorization header: 401, without asking. The service says
// 200: the request goes on with x-auth-user. It fails or does not answer: 503. It says anything else: 403.
package main

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	abi "weir/examples/abi/go"
)

const (
	decisions = "auth.decisions"
	timeout   = time.Second
)

func init() { abi.Register(func() abi.Plugin { return &plugin{} }) }

func main() {}

type plugin struct {
	cluster         string
	allowed, denied uint32
}

func (p *plugin) Configure(configuration string) bool {
	p.cluster = strings.TrimSpace(configuration)
	if p.cluster == "" {
		abi.Error("the configuration must name the cluster to ask")
		return false
	}
	var first, second abi.Status
	p.allowed, first = abi.DefineMetric(abi.Counter, "auth_allowed")
	p.denied, second = abi.DefineMetric(abi.Counter, "auth_denied")
	return first == abi.OK && second == abi.OK
}

func (p *plugin) NewStream() abi.Stream { return &stream{plugin: p} }

type stream struct {
	abi.Passive
	plugin   *plugin
	decision uint64 // How many decisions had been made when this one was; shown to the client.
}

func (s *stream) OnRequestHeaders(bool) abi.Action {
	credentials, _ := abi.RequestHeaders.Get("authorization")
	if credentials == "" {
		s.deny(401, "no credentials\n", abi.Header{Name: "www-authenticate", Value: "Bearer"})
		return abi.Pause
	}
	question := []abi.Header{
		{Name: ":method", Value: "GET"},
		{Name: ":path", Value: "/auth"},
		{Name: ":authority", Value: "auth"},
		{Name: "authorization", Value: credentials},
	}
	if status := abi.Call(s.plugin.cluster, question, nil, timeout, s.decide); status != abi.OK {
		abi.Error("cannot ask " + s.plugin.cluster + ": " + status.Error())
		s.deny(503, "authorisation is not available\n")
	}
	return abi.Pause // Until the answer comes.
}

func (s *stream) decide(headers int) {
	// No headers: the proxy could not ask. Out of time, or refused: the proxy answers 504 or 503 in its place.
	status := "503"
	if headers > 0 {
		status, _ = abi.CallResponseHeaders.Get(":status")
	}
	switch {
	case status == "200":
		user, _ := abi.CallResponseHeaders.Get("x-auth-user")
		abi.RequestHeaders.Replace("x-auth-user", user)
		s.record("allowed", s.plugin.allowed)
		abi.ContinueRequest()
	case strings.HasPrefix(status, "5"):
		s.deny(503, "authorisation is not available\n")
	default:
		s.deny(403, "not allowed\n")
	}
}

func (s *stream) OnResponseHeaders(bool) abi.Action {
	if s.decision > 0 {
		abi.ResponseHeaders.Replace("x-auth-decision", strconv.FormatUint(s.decision, 10))
	}
	return abi.Continue
}

func (s *stream) deny(code int, text string, headers ...abi.Header) {
	s.record("denied", s.plugin.denied)
	abi.Reply(code, text, headers...)
}

// record counts the decision where an operator looks (a metric) and where every worker's plugin can see it (shared data).
func (s *stream) record(verdict string, metric uint32) {
	abi.IncrementMetric(metric, 1)
	s.decision = countDecision()
	path, _ := abi.Property("request", "path")
	abi.Info(fmt.Sprintf("decision %d: %s, path: %s", s.decision, verdict, path))
}

// Another worker may count at the same time: the write is refused if the value changed since it was read.
func countDecision() uint64 {
	for {
		var count uint64
		value, version, _ := abi.SharedData(decisions)
		if len(value) == 8 {
			count = binary.LittleEndian.Uint64(value)
		}
		count++
		if abi.SetSharedData(decisions, binary.LittleEndian.AppendUint64(nil, count), version) != abi.CasMismatch {
			return count
		}
	}
}

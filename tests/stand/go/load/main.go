// load: so many requests a second for so long, each accounted for; and the service behind the proxy.
//
//	load -port P [-tls] [-rate 1000] [-seconds 5] [-connections 32] [-each N] [-path /]
//	load -origin -port P        answers "hello"; ?ms=N waits that long first, ?bytes=N answers with so many. Prints its port.
//
// Requests go out when their time has come, whether or not earlier ones were answered (as long as one of the connections is free), over
// connections that are kept alive for `each` requests (0: for ever). Prints one line of JSON at the end. A request is
// "lost" when it has no whole answer of status 200. One whose connection was closed by the peer before a byte of the answer,
// and that was not the connection's first, is sent again once on a new one, as browsers do (RFC 9110 9.2.2), and counted as "repeated".
package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type options struct {
	port, rate, connections, each int
	seconds                       float64
	tls                           bool
	path                          string
}

type tally struct {
	sync.Mutex
	Sent     int            `json:"sent"`
	Answered int            `json:"answered"`
	Lost     int            `json:"lost"`
	Repeated int            `json:"repeated"`
	Opened   int            `json:"connections"`
	Statuses map[string]int `json:"statuses"`
	Errors   map[string]int `json:"errors"`
	P50      float64        `json:"p50_ms"`
	P99      float64        `json:"p99_ms"`
	Max      float64        `json:"max_ms"`
	took     []float64
}

var errClosed = errors.New("closed before an answer")

type link struct {
	raw   net.Conn
	conn  net.Conn
	in    *bufio.Reader
	count int
}

func dial(o options) (*link, error) {
	raw, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", o.port), 5*time.Second)
	if err != nil {
		return nil, err
	}
	l := &link{raw: raw, conn: raw}
	if o.tls {
		secure := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
		raw.SetDeadline(time.Now().Add(10 * time.Second))
		if err := secure.Handshake(); err != nil {
			raw.Close()
			return nil, fmt.Errorf("handshake: %w", err)
		}
		l.conn = secure
	}
	l.in = bufio.NewReader(l.conn)
	return l, nil
}

// ended tells whether the peer has closed a connection on which nothing is due: clients look before they send.
func (l *link) ended() bool {
	access, err := l.raw.(*net.TCPConn).SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	access.Read(func(fd uintptr) bool {
		one := make([]byte, 1)
		n, _, err := syscall.Recvfrom(int(fd), one, syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		gone = (n == 0 && err == nil) || (err != nil && err != syscall.EAGAIN)
		return true
	})
	return gone
}

// ask sends a request and reads its whole answer. The last result: whether the connection may be used again.
func (l *link) ask(o options) (int, error, bool) {
	l.conn.SetDeadline(time.Now().Add(10 * time.Second))
	l.count++
	if _, err := fmt.Fprintf(l.conn, "GET %s HTTP/1.1\r\nHost: load.example\r\n\r\n", o.path); err != nil {
		return 0, errClosed, false
	}
	if _, err := l.in.Peek(1); err != nil {
		if timeout, is := err.(net.Error); is && timeout.Timeout() {
			return 0, errors.New("no answer for ten seconds"), false
		}
		return 0, errClosed, false
	}
	answer, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return 0, fmt.Errorf("bad answer: %w", err), false
	}
	_, err = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	if err != nil {
		return answer.StatusCode, fmt.Errorf("cut: %w", err), false
	}
	return answer.StatusCode, nil, !answer.Close
}

func worker(o options, due <-chan time.Time, t *tally, done *sync.WaitGroup) {
	defer done.Done()
	var l *link
	for at := range due {
		status, err := 0, error(nil)
		for tries := 0; tries < 2; tries++ {
			if l != nil && l.ended() {
				l.conn.Close()
				l = nil
			}
			if l == nil {
				if l, err = dial(o); err != nil {
					break
				}
				t.Lock()
				t.Opened++
				t.Unlock()
			}
			first, again := l.count == 0, false
			status, err, again = l.ask(o)
			if !again || (o.each > 0 && l.count >= o.each) {
				l.conn.Close()
				l = nil
			}
			if err != errClosed || first {
				break
			}
			if tries == 0 {
				t.Lock()
				t.Repeated++
				t.Unlock()
			}
		}
		t.note(status, err, time.Since(at))
	}
	if l != nil {
		l.conn.Close()
	}
}

func (t *tally) note(status int, err error, took time.Duration) {
	t.Lock()
	defer t.Unlock()
	t.Sent++
	t.took = append(t.took, float64(took.Microseconds())/1000)
	if err != nil {
		text := err.Error()
		if at := strings.LastIndex(text, ": "); at >= 0 && strings.Contains(text, "->") {
			text = text[at+2:] // Without addresses.
		}
		t.Errors[text]++
		t.Lost++
		return
	}
	t.Answered++
	t.Statuses[strconv.Itoa(status)]++
	if status != 200 {
		t.Lost++
	}
}

type zeros struct{}

func (zeros) Read(to []byte) (int, error) { clear(to); return len(to), nil }

func origin(port int) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	var count atomic.Int64
	http.Serve(listener, http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if in.URL.Path == "/-/count" {
			fmt.Fprint(out, count.Load())
			return
		}
		count.Add(1)
		if ms, _ := strconv.Atoi(in.URL.Query().Get("ms")); ms > 0 && ms <= 30000 {
			time.Sleep(time.Duration(ms) * time.Millisecond)
		}
		io.Copy(io.Discard, in.Body)
		if bytes, _ := strconv.Atoi(in.URL.Query().Get("bytes")); bytes > 0 && bytes <= 100<<20 {
			io.CopyN(out, zeros{}, int64(bytes))
			return
		}
		io.WriteString(out, "hello\n")
	}))
}

func main() {
	var o options
	flag.IntVar(&o.port, "port", 0, "of the proxy, or of the origin (0: any)")
	flag.IntVar(&o.rate, "rate", 1000, "requests a second")
	flag.Float64Var(&o.seconds, "seconds", 5, "how long")
	flag.IntVar(&o.connections, "connections", 32, "connections at a time")
	flag.IntVar(&o.each, "each", 0, "requests on each connection; 0: as many as it takes")
	flag.BoolVar(&o.tls, "tls", false, "TLS, without a look at the certificate")
	flag.StringVar(&o.path, "path", "/", "target")
	serve := flag.Bool("origin", false, "be the service instead")
	flag.Parse()
	if *serve {
		origin(o.port)
		return
	}
	t := &tally{Statuses: map[string]int{}, Errors: map[string]int{}}
	total := int(float64(o.rate) * o.seconds)
	due := make(chan time.Time, total)
	var done sync.WaitGroup
	for i := 0; i < o.connections; i++ {
		done.Add(1)
		go worker(o, due, t, &done)
	}
	started := time.Now()
	for i := 0; i < total; i++ {
		at := started.Add(time.Duration(i) * time.Second / time.Duration(o.rate))
		time.Sleep(time.Until(at))
		due <- at
	}
	close(due)
	done.Wait()
	sort.Float64s(t.took)
	if n := len(t.took); n > 0 {
		t.P50, t.P99, t.Max = t.took[n/2], t.took[n*99/100], t.took[n-1]
	}
	json.NewEncoder(os.Stdout).Encode(t)
}

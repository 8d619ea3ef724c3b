// What Go's net/http reads in bytes: a line of base64 in, a line of JSON out, in the form of tests/strictness/reparse_h11.py.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"sort"
	"strings"
)

type request struct {
	Method string      `json:"method"`
	Target string      `json:"target"`
	Host   string      `json:"host"`
	Body   string      `json:"body"`
	Fields [][2]string `json:"fields"`
}

type reading struct {
	Requests []request `json:"requests"`
	Error    string    `json:"error"`
	Partial  bool      `json:"partial"`
}

// latin1 keeps each byte as one character, as Python's latin-1 does.
func latin1(text string) string {
	out := make([]rune, 0, len(text))
	for _, b := range []byte(text) {
		out = append(out, rune(b))
	}
	return string(out)
}

func fields(from http.Header) [][2]string {
	out := [][2]string{}
	for name, values := range from {
		for _, value := range values {
			if lower := strings.ToLower(name); lower != "content-length" && lower != "transfer-encoding" {
				out = append(out, [2]string{lower, latin1(value)})
			}
		}
	}
	sort.Slice(out, func(a, b int) bool {
		if out[a][0] != out[b][0] {
			return out[a][0] < out[b][0]
		}
		return out[a][1] < out[b][1]
	})
	return out
}

func read(data []byte) reading {
	seen := reading{Requests: []request{}}
	in := bufio.NewReaderSize(bytes.NewReader(data), 1<<20)
	for {
		if _, err := in.Peek(1); err == io.EOF {
			return seen
		}
		got, err := http.ReadRequest(in)
		var body []byte
		if err == nil {
			body, err = io.ReadAll(got.Body)
		}
		if err != nil {
			seen.Partial = true
			if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
				seen.Error = err.Error()
			}
			return seen
		}
		seen.Requests = append(seen.Requests, request{got.Method, latin1(got.RequestURI), latin1(got.Host), latin1(string(body)), fields(got.Header)})
	}
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for in.Scan() {
		data, err := base64.StdEncoding.DecodeString(in.Text())
		if err != nil {
			panic(err)
		}
		out.Encode(read(data))
	}
}

//go:build tools

// The programs of others that install builds, at the versions of go.mod.
package stand

import (
	_ "github.com/summerwind/h2spec/cmd/h2spec"
	_ "google.golang.org/grpc/interop/client"
	_ "google.golang.org/grpc/interop/server"
)

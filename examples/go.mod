// The Go form of every example. No dependencies: package abi/go speaks the Proxy-Wasm ABI itself.
module weir/examples

go 1.24

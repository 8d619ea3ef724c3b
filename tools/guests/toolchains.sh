# Sourced by install and build: which Rust and which Go build the guests. Needs WEIR_CACHE (third_party/cache.sh).

GO_VERSION=1.26.8
GO_SUM="h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM="
GO_HOME="$WEIR_CACHE/go-$GO_VERSION"

# rust_target: prints the target to build for. wasm32-wasip1 where its library is installed; wasm32-unknown-unknown where
# the library's sources are, to be compiled by ourselves; else fails.
rust_target() {
  local root
  command -v cargo >/dev/null && root="$(rustc --print sysroot 2>/dev/null)" || return 1
  if [ -d "$root/lib/rustlib/wasm32-wasip1/lib" ]; then
    echo wasm32-wasip1
  elif [ -f "$root/lib/rustlib/src/rust/library/std/Cargo.toml" ]; then
    echo wasm32-unknown-unknown
  else
    return 1
  fi
}

# go_command: prints a go command of 1.24 or newer (the first with go:wasmexport), else fails.
go_command() {
  local candidate version
  for candidate in go "$GO_HOME/bin/go"; do
    version="$(env GOTOOLCHAIN=local "$candidate" env GOVERSION 2>/dev/null)" || continue
    if [ "$(printf '%s\n' go1.24 "$version" | sort -V | head -n 1)" = go1.24 ]; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

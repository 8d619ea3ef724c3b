# Sourced by the third-party build scripts: where their results live, and how a step reports itself.
#
# A third-party build is keyed by everything that decides its output (lock file, sources, compiler) and lands outside
# the tree, so a second clone finds it built. A build goes to a private folder first and is renamed when complete:
# an interrupted one leaves nothing that looks finished.

WEIR_CACHE="${WEIR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/weir}"
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

# cache_key FILE... : a short digest of the files' contents and of whatever arrives on standard input.
cache_key() { cat "$@" - | sha256sum | cut -c1-16; }

# step NAME COMMAND... : runs the command, shows that it is alive, and says how long it took.
step() {
  local name="$1" log started ticker status=0
  shift
  log="$(mktemp "${TMPDIR:-/tmp}/weir-step.XXXXXX")"
  started=$SECONDS
  printf '==> %s\n' "$name" >&2
  ( while sleep 15; do printf '    %s: %ds, %s\n' "$name" $((SECONDS - started)) "$(tail -n 1 "$log" | tr -d '\r' | cut -c1-90)" >&2; done ) &
  ticker=$!
  "$@" >"$log" 2>&1 || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  if [ "$status" -ne 0 ]; then
    tail -n 60 "$log" >&2
    printf '==> %s FAILED after %ds (whole log: %s)\n' "$name" $((SECONDS - started)) "$log" >&2
    return "$status"
  fi
  rm -f "$log"
  printf '    %s: done in %ds\n' "$name" $((SECONDS - started)) >&2
}

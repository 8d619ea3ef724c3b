# weir's commands. `make demo` and `make test` need nothing but a bare Debian 12 machine and this checkout.
.PHONY: help demo build test check bench sanitize clean

help:  ## what there is
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 16

demo:  ## install what is missing, build, and run weir with the hello plugin in front of an upstream
	@tools/demo

build:  ## the optimised program, at build/weir
	@tools/install demo
	@tools/build build weir

test:  ## set-up, then every test
	@tools/test

check:  ## format, layers, clang-tidy, doc links: quick enough for every commit
	@tools/check

sanitize:  ## the unit and example tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/install test
	@tools/sanitize

bench:  ## weir beside a blind forwarder, HAProxy, nginx and Envoy, in ten minutes; FORM=long: in an hour
	@tools/install bench
	@tools/guests/install rust go
	@tools/build build weir floor load
	@tools/guests/build bench_light bench_60 bench_body bench_compute bench_go bench_go_json
	@bench/run $(if $(filter long,$(FORM)),--long)

clean:  ## remove what was built here; third-party builds stay in the cache outside the tree
	rm -rf build build-*

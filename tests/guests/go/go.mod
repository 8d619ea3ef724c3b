// The Go guests of the bench. They speak the ABI through the examples' package.
module weir/tests/guests

go 1.24

require weir/examples v0.0.0

replace weir/examples => ../../../examples

"""What is no plugin, or does wrong before it serves: the proxy starts without it, and says why."""
from suite.judge import compiled
from suite.model import Case, case
from suite.module import module

USUAL = module()
HEADER = b"\0asm\1\0\0\0"

case("nothing", code=b"", refused="")
case("a text", code=b"this is no module", refused="")
case("another magic", code=b"\0bsm\1\0\0\0", refused="")
case("another version", code=b"\0asm\2\0\0\0", refused="")
case("a component", code=b"\0asm\x0d\0\1\0", refused="")
case("a header alone", code=HEADER, refused="ABI version")
case("a section that says it is longer", code=HEADER + b"\1\xff\xff\xff\xff\x0f", refused="")
case("a number that never ends", code=HEADER + b"\1" + b"\x80" * 64, refused="")
case("sections out of order", code=HEADER + b"\x03\x01\x00\x01\x01\x00", refused="")
case("a module cut in two", code=compiled(Case("usual", "loading", USUAL))[:300], refused="")
case("no marker", module(marker=None), refused="ABI version")
case("a marker of the future", module(marker="proxy_abi_version_9_0_0"), refused="ABI version")
case("no malloc", module(without=["malloc"]), refused="malloc")
case("no memory", module(memory=None, without=["malloc"]), refused="")
case("a callback of another type", module({"proxy_on_request_headers": ("(param i64)", "")}), refused="proxy_on_request_headers")
case("an import that nobody has", module({"proxy_on_vm_start": "(call $coffee (i32.const 1)) (i32.const 1)"}, imports='(import "env" "proxy_make_coffee" (func $coffee (param i32)))'), refused="proxy_make_coffee")
case("an import of another module", module({"proxy_on_vm_start": "(call $write (i32.const 1)) (i32.const 1)"}, imports='(import "kernel" "write" (func $write (param i32)))'), refused="kernel")
case("imports that nobody has and that are not called", module(imports='(import "env" "proxy_make_coffee" (func (param i32))) (import "kernel" "write" (func (param i32)))'), statuses=(200,))
case("a host function of another type", module(imports='(import "env" "proxy_log" (func (param i64) (result i32)))'), refused="proxy_log")
case("an imported memory", module(memory=None, imports='(import "env" "memory" (memory 70000))', without=["malloc"]), refused="")
case("an imported global", module(imports='(import "env" "stack" (global i32))'), refused="stack")
case("memory above the cap from the start", module(memory="16384"), refused="memory")
case("memory of 4 GiB", module(memory="65536"), refused="memory")
case("a table of ten million", module(more="(table 10000000 funcref)"), refused="table")
case("shared memory", module(memory="2 4 shared"), refused="")
case("two memories", module(more="(memory 1)"), refused="")
case("memory by 64 bits", module(memory="i64 2", exports={"malloc": "(i32.const 0)"}), refused="")
case("data outside of the memory", module(more='(data (i32.const 200000) "x")'), refused="")
case("a stack that is too deep to check", module(more=f"(func (result i32) {'(i32.eqz ' * 3000} (i32.const 1) {')' * 3000})"), statuses=(200,))
for what, body, says in (("traps", "unreachable", ""), ("loops", "(call $spin)", "time limit"), ("calls itself", "(drop (call $deeper (i32.const 1)))", ""), ("hoards", "(call $hoard)", "")):
    case(f"the start function {what}", module(more=f"(func $begin {body}) (start $begin)"), refused=says)
    case(f"_initialize {what}", module({"_initialize": ("", body)}), refused=says)
    case(f"proxy_on_vm_start {what}", module({"proxy_on_vm_start": f"{body} (i32.const 1)"}), refused=says)
    case(f"proxy_on_configure {what}", module({"proxy_on_configure": f"{body} (i32.const 1)"}), refused=says)
case("proxy_on_vm_start says no", module({"proxy_on_vm_start": "(i32.const 0)"}), refused="")
case("proxy_on_configure says no", module({"proxy_on_configure": "(i32.const 0)"}), refused="")

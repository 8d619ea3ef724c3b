// Dies in its request headers, three functions deep, when the path is longer than 8 bytes. Built with debug information:
// a backtrace has the lines of this file.
#define EXPORT(name) __attribute__((export_name(#name)))

__attribute__((import_module("env"), import_name("proxy_get_header_map_value"))) int getHeader(int map, const char* key,
                                                                                               int key_size,
                                                                                               char** value, int* size);

static char heap[65536];
static int used;

EXPORT(proxy_abi_version_0_2_1) void version(void) {}
EXPORT(malloc) void* allocate(int size) {
  void* const place = heap + used;
  used = (used + size + 7) % (int)(sizeof heap / 2);
  return place;
}
EXPORT(proxy_on_context_create) void onContextCreate(int id, int parent) {
  (void)id;
  (void)parent;
}

__attribute__((noinline)) static void die(int depth) {
  if (depth == 0) __builtin_trap();
  die(depth - 1);
  heap[0] = (char)depth;
}

EXPORT(proxy_on_request_headers) int onRequestHeaders(int id, int headers, int end) {
  char* path = 0;
  int size = 0;
  (void)id;
  (void)headers;
  (void)end;
  if (getHeader(0, ":path", 5, &path, &size) == 0 && size > 8) die(1);
  return 0;
}

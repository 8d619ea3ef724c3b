// A queue of bytes: received from one socket, edited by plugins, sent to another.
//
// Bytes live in slabs, chained, so that appending never moves what is there and moving bytes between buffers moves
// slabs, not bytes. Slabs come from a per-thread free list and go back to it when drained: an idle connection holds
// none. One owner at a time; not thread-safe; buffers may move between threads only when empty of borrowed views.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weir::base {

class BufferChain {
 public:
  // What one slab holds, beside its tail: a TLS record, a DATA frame. Also the most that one reserve() can give.
  static constexpr size_t kSlabBytes = 16 * 1024;
  // Kept free behind a full slab for what frames its bytes (the end of a chunk and the next one's size, a frame's
  // head): else each received slab would be followed by one that holds only that.
  static constexpr size_t kTailBytes = 64;
  // Bytes of slabs that all threads have given back to the allocator so far, to about a megabyte a thread. Any thread.
  static uint64_t bytesGivenBack();

  BufferChain() = default;
  explicit BufferChain(std::string_view bytes) { append(bytes); }
  ~BufferChain() { clear(); }
  BufferChain(BufferChain&& other) noexcept;
  BufferChain& operator=(BufferChain&& other) noexcept;
  BufferChain(const BufferChain&) = delete;
  BufferChain& operator=(const BufferChain&) = delete;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void append(std::string_view bytes);
  void prepend(std::string_view bytes);
  // Takes all of other's bytes to the end of this one; other is empty afterwards. Slabs move; the bytes of one are
  // copied where that saves a slab and the smaller part of the two is what is copied.
  void append(BufferChain& other);
  // Takes the first count bytes of other to the end of this one. count may exceed other's size.
  void appendFrom(BufferChain& other, size_t count);
  // Drops the first count bytes (at most all).
  void drain(size_t count);
  void clear();

  // Writable room at the end, at least min(wanted, kSlabBytes) bytes, for a recv(); commit() says how many were
  // written. Nothing else may be called in between.
  std::span<char> reserve(size_t wanted);
  void commit(size_t written);

  // The first bytes that lie together; empty only if the buffer is empty. Valid until the buffer changes.
  std::string_view front() const;
  // The first min(count, size()) bytes as one piece, gathered into one slab where they are not (count <= kSlabBytes).
  std::string_view linearize(size_t count);
  // Fills up to max entries with the buffer's pieces, in order; returns how many.
  int gather(iovec* out, int max) const;

  // Copies out.size() bytes from offset; offset + out.size() must lie within the buffer.
  void copyTo(std::span<char> out, size_t offset) const;
  std::string toString() const;

  // Calls visit(std::string_view) for each piece in order.
  template <typename Visit>
  void forEachPiece(Visit visit) const {
    for (const Slab* slab = first_; slab != nullptr; slab = slab->next) {
      if (slab->begin != slab->end) visit(slab->view());
    }
  }

 private:
  struct Slab {
    Slab* next;
    Slab* before;  // Unless it is the first.
    uint32_t begin;
    uint32_t end;
    char* data() { return reinterpret_cast<char*>(this + 1); }
    const char* data() const { return reinterpret_cast<const char*>(this + 1); }
    std::string_view view() const { return {data() + begin, end - begin}; }
  };
  static_assert(sizeof(Slab) <= 32);
  friend struct SlabPool;

  static Slab* take();
  static void give(Slab* slab);
  void pushBack(Slab* slab);
  void pushFront(Slab* slab);
  void popFront();
  void popBack();
  Slab* unlinkFront();
  std::span<char> roomFor(size_t wanted);
  bool appendSmaller(std::string_view bytes);
  void takeSlab(Slab* slab);

  Slab* first_ = nullptr;
  Slab* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace weir::base

// Drives a fuzz target without libFuzzer: every kept input, and then inputs made of them by chance.
//
//   x_fuzz RUNS [FOLDER...]   inputs are the files of the folders; the same inputs and RUNS make the same run
//
// It follows no coverage, so it finds less than libFuzzer does in the same time; it is for short runs under the
// sanitizers in CI (tools/sanitize). An input that ends the program is written to standard error in hexadecimal.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// Of the sanitizers' runtime, where there is one.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

using Input = std::string;
constexpr size_t kMostBytes = 4096;

const Input* current = nullptr;

void tell() {
  if (current == nullptr) return;
  std::fprintf(stderr, "\nthe input, %zu bytes:\n", current->size());
  for (const char byte : *current) std::fprintf(stderr, "%02x", static_cast<unsigned char>(byte));
  std::fprintf(stderr, "\n");
  current = nullptr;
}

void run(const Input& input) {
  current = &input;
  // A copy of its own size, so that reading past its end is seen.
  std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::vector<Input> readAll(int count, char** folders) {
  std::vector<std::filesystem::path> paths;
  for (int i = 0; i < count; ++i) {
    if (!std::filesystem::is_directory(folders[i])) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folders[i])) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Input> out;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return out;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<Input>& kept) : kept_(kept) {}

  Input next() {
    Input out = kept_.empty() || below(20) == 0 ? Input(below(64), char(below(256))) : kept_[below(kept_.size())];
    for (size_t changes = 1 + below(6); changes > 0; --changes) change(out);
    if (out.size() > kMostBytes) out.resize(kMostBytes);
    return out;
  }

 private:
  size_t below(size_t end) { return end == 0 ? 0 : random_() % end; }
  char byte() {
    constexpr char kTelling[] = {0, 1, '\x7f', '\x80', '\xff', '\r', '\n', ' ', ':', '%', '/', '0'};
    return below(2) == 0 ? static_cast<char>(below(256)) : kTelling[below(sizeof kTelling)];
  }
  void change(Input& out) {
    const size_t at = below(out.size());
    switch (below(6)) {
      case 0:
        if (!out.empty()) out[at] = byte();
        break;
      case 1: out.insert(at, 1 + below(4), byte()); break;
      case 2: out.erase(at, 1 + below(8)); break;
      case 3:
        if (!out.empty()) out[at] = static_cast<char>(out[at] ^ (1 << below(8)));
        break;
      case 4: out.insert(below(out.size()), out.substr(at, below(32))); break;
      default:  // The end of another one.
        if (!kept_.empty()) {
          const Input& other = kept_[below(kept_.size())];
          out = out.substr(0, at) + other.substr(below(other.size()));
        }
    }
  }

  const std::vector<Input>& kept_;
  std::mt19937_64 random_{20260101};
};

}  // namespace

int main(int count, char** arguments) {
  const long runs = count > 1 ? std::atol(arguments[1]) : 10000;
  const std::vector<Input> kept = readAll(count - 2, arguments + 2);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(tell);
  std::signal(SIGABRT, [](int) { tell(); });
  for (const Input& input : kept) run(input);
  Mutator mutator(kept);
  for (long i = 0; i < runs; ++i) {
    const Input input = mutator.next();
    run(input);
  }
  std::printf("%zu kept inputs, %ld more\n", kept.size(), runs);
  return 0;
}

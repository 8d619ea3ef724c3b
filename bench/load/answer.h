// Reads one answer after the other from a connection's bytes, and checks each: status 200, and a body of the length
// that is expected, by its content-length and by its bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bench {

class AnswerReader {
 public:
  enum class State { Incomplete, Complete, Wrong };

  explicit AnswerReader(size_t expected_body) : expected_body_(expected_body) {}

  // Bytes that follow the answer's end are wrong: nothing was asked yet.
  State feed(std::string_view bytes);
  // After Complete: the next answer.
  void reset();
  const std::string& fault() const { return fault_; }

 private:
  State feedBody(std::string_view bytes);
  bool checkHead(std::string_view head);
  State wrong(std::string fault);

  size_t expected_body_;
  std::string head_;  // As far as it has come, where it comes in pieces.
  bool in_body_ = false;
  size_t body_left_ = 0;
  std::string fault_;
};

}  // namespace bench

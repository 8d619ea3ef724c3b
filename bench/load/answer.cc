#include "answer.h"

#include <cstdlib>

namespace bench {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

// The value of content-length, in the spellings that proxies use; npos where there is none.
size_t contentLength(std::string_view head) {
  static constexpr std::string_view kCommon = "ontent-";
  for (size_t at = head.find(kCommon); at != std::string_view::npos; at = head.find(kCommon, at + 1)) {
    const std::string_view rest = head.substr(at + kCommon.size());
    if (!rest.starts_with("length:") && !rest.starts_with("Length:")) continue;
    return std::strtoul(rest.data() + 7, nullptr, 10);  // The head ends with a line's end, which stops it.
  }
  return std::string_view::npos;
}

}  // namespace

AnswerReader::State AnswerReader::feed(std::string_view bytes) {
  if (in_body_) return feedBody(bytes);
  const bool in_pieces = !head_.empty();
  if (in_pieces) {
    head_.append(bytes);
    bytes = head_;
  }
  const size_t end = bytes.find(kHeadEnd);
  if (end == std::string_view::npos) {
    if (!in_pieces) head_.assign(bytes);
    return State::Incomplete;
  }
  if (!checkHead(bytes.substr(0, end + kHeadEnd.size()))) return State::Wrong;
  in_body_ = true;
  body_left_ = expected_body_;
  return feedBody(bytes.substr(end + kHeadEnd.size()));
}

AnswerReader::State AnswerReader::feedBody(std::string_view bytes) {
  if (bytes.size() > body_left_) return wrong("bytes behind the answer");
  body_left_ -= bytes.size();
  return body_left_ == 0 ? State::Complete : State::Incomplete;
}

bool AnswerReader::checkHead(std::string_view head) {
  if (!head.starts_with("HTTP/1.1 200")) {
    wrong("not a 200: " + std::string(head.substr(0, 200)));
  } else if (contentLength(head) != expected_body_) {
    wrong("not a body of " + std::to_string(expected_body_) + " bytes: " + std::string(head.substr(0, 400)));
  }
  return fault_.empty();
}

AnswerReader::State AnswerReader::wrong(std::string fault) {
  fault_ = std::move(fault);
  return State::Wrong;
}

void AnswerReader::reset() {
  head_.clear();
  in_body_ = false;
}

}  // namespace bench

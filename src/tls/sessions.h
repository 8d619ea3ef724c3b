// Sessions with servers, kept so that later connections resume them. One worker's, for one cluster.
#pragma once

#include <list>
#include <memory>
#include <string>

struct ssl_session_st;

namespace weir::tls {

struct FreeSession {
  void operator()(ssl_session_st* session) const;
};
using SessionPtr = std::unique_ptr<ssl_session_st, FreeSession>;

// Sessions are kept by the name that was sent as SNI, the newest used first. RFC 8446 C.4: a TLS 1.3 ticket is used
// once.
class SessionStore {
 public:
  // max_sessions: max_session_keys; 0 keeps none.
  explicit SessionStore(size_t max_sessions) : max_(max_sessions) {}

  void setMax(size_t max_sessions) { max_ = max_sessions; }
  void put(const std::string& server_name, SessionPtr session);
  // Null if there is none.
  SessionPtr take(const std::string& server_name);
  void clear() { sessions_.clear(); }
  size_t size() const { return sessions_.size(); }

 private:
  struct Kept {
    std::string server_name;
    SessionPtr session;
  };
  size_t max_;
  std::list<Kept> sessions_;
};

}  // namespace weir::tls

#include "tls/sessions.h"

#include <openssl/ssl.h>

namespace weir::tls {

void FreeSession::operator()(ssl_session_st* session) const { SSL_SESSION_free(session); }

void SessionStore::put(const std::string& server_name, SessionPtr session) {
  if (max_ == 0) return;
  sessions_.push_front({server_name, std::move(session)});
  while (sessions_.size() > max_) sessions_.pop_back();
}

SessionPtr SessionStore::take(const std::string& server_name) {
  for (auto at = sessions_.begin(); at != sessions_.end(); ++at) {
    if (at->server_name != server_name) continue;
    if (SSL_SESSION_is_resumable(at->session.get()) != 1) {
      sessions_.erase(at);
      return nullptr;
    }
    // Before TLS 1.3 a session serves many connections.
    if (SSL_SESSION_get_protocol_version(at->session.get()) < TLS1_3_VERSION) {
      SSL_SESSION_up_ref(at->session.get());
      return SessionPtr(at->session.get());
    }
    SessionPtr session = std::move(at->session);
    sessions_.erase(at);
    return session;
  }
  return nullptr;
}

}  // namespace weir::tls

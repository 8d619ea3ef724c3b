// One message between two processes of a hot restart: a line of text and descriptors, over a Unix SOCK_SEQPACKET.
//
// docs/decisions/hot-restart.md has the protocol. Peers must belong to our user or to root.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/fd.h"

namespace weir::server {

// Told apart by both sides; differing ones do not restart one another.
inline constexpr int kRestartProtocol = 1;
// Of text and of descriptors in one message.
inline constexpr size_t kMaxRestartText = 48 * 1024;
inline constexpr size_t kMaxRestartDescriptors = 200;

struct RestartMessage {
  std::string text;
  std::vector<net::Fd> descriptors;
};

// "<path>_<base id>_<epoch>": path as --socket-path, '@' for the abstract name space.
std::string restartSocketName(const std::string& path, uint32_t base_id, uint32_t epoch);

// Listens by that name. mode: of a socket in the file system. An error: somebody has it.
base::Result<net::Fd> listenForRestart(const std::string& name, int mode);
// Blocks; receives later time out after so long.
base::Result<net::Fd> connectForRestart(const std::string& name, base::Duration timeout);
bool isTrustedPeer(const net::Fd& socket);

// An error: the peer is gone, or takes nothing (a message that does not fit is not sent in part).
base::Result<void> sendMessage(const net::Fd& socket, std::string_view text, const std::vector<int>& descriptors = {});
// An error with code Unavailable: nothing is there yet (a socket that does not block), or not in time.
base::Result<RestartMessage> receiveMessage(const net::Fd& socket);

}  // namespace weir::server

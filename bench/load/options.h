// What the load program is asked to do, from its command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

struct Options {
  int port = 0;
  int connections = 64;
  double seconds = 1;
  double rate = 0;     // Requests a second over all connections; 0: as fast as answers come.
  uint64_t count = 0;  // At most so many measured requests; 0: as many as the time allows.
  size_t body = 0;     // Bytes of each request's body; 0: GET.
  size_t expect = 12;  // Bytes of each answer's body.
  std::string path = "/";
  size_t paths = 1;  // '%' in the path and in headers is replaced by 0 to paths - 1 in turn.
  std::vector<std::string> headers;
  bool tls = false;
  bool reconnect = false;  // Each request has a connection of its own.
  bool resume = false;     // With tls and reconnect: each handshake resumes a session, and none does without.
};

// Ends the program, with what it takes, where the command line is not one of its own.
Options parseOptions(int argc, char** argv);

// The requests that are sent in turn, as they go over the wire.
std::vector<std::string> makeRequests(const Options& options);

}  // namespace bench

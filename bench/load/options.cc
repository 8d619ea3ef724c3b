#include "options.h"

#include <getopt.h>

#include <cstdio>
#include <cstdlib>

namespace bench {
namespace {

constexpr option kOptions[] = {
    {"connections", required_argument, nullptr, 'c'},
    {"seconds", required_argument, nullptr, 's'},
    {"rate", required_argument, nullptr, 'r'},
    {"count", required_argument, nullptr, 'n'},
    {"body", required_argument, nullptr, 'b'},
    {"expect", required_argument, nullptr, 'e'},
    {"path", required_argument, nullptr, 'p'},
    {"paths", required_argument, nullptr, 'P'},
    {"header", required_argument, nullptr, 'H'},
    {"tls", no_argument, nullptr, 't'},
    {"reconnect", no_argument, nullptr, 'R'},
    {"resume", no_argument, nullptr, 'U'},
    {nullptr, 0, nullptr, 0},
};

[[noreturn]] void usage() {
  std::fputs(
      "usage: load [--connections C] [--seconds S] [--rate R] [--count N] [--body BYTES] [--expect BYTES]\n"
      "            [--path /%] [--paths N] [--header 'name: value'] [--tls] [--reconnect] [--resume] PORT\n"
      "It connects, sends a request on each connection, says ready, waits for a line, loads, prints what came of it,\n"
      "and ends when its standard input does.\n",
      stderr);
  std::exit(2);
}

std::string replaced(std::string text, const std::string& number) {
  for (size_t at = text.find('%'); at != std::string::npos; at = text.find('%', at + number.size())) {
    text.replace(at, 1, number);
  }
  return text;
}

}  // namespace

Options parseOptions(int argc, char** argv) {
  Options out;
  for (int letter = 0; (letter = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    switch (letter) {
      case 'c': out.connections = std::atoi(optarg); break;
      case 's': out.seconds = std::atof(optarg); break;
      case 'r': out.rate = std::atof(optarg); break;
      case 'n': out.count = std::strtoull(optarg, nullptr, 10); break;
      case 'b': out.body = std::strtoul(optarg, nullptr, 10); break;
      case 'e': out.expect = std::strtoul(optarg, nullptr, 10); break;
      case 'p': out.path = optarg; break;
      case 'P': out.paths = std::strtoul(optarg, nullptr, 10); break;
      case 'H': out.headers.emplace_back(optarg); break;
      case 't': out.tls = true; break;
      case 'R': out.reconnect = true; break;
      case 'U': out.resume = true; break;
      default: usage();
    }
  }
  if (optind + 1 != argc || out.connections < 1 || out.paths < 1) usage();
  out.port = std::atoi(argv[optind]);
  return out;
}

std::vector<std::string> makeRequests(const Options& options) {
  std::string head = (options.body > 0 ? "POST " : "GET ") + options.path + " HTTP/1.1\r\nhost: 127.0.0.1\r\n";
  for (const std::string& header : options.headers) head += header + "\r\n";
  if (options.body > 0) head += "content-length: " + std::to_string(options.body) + "\r\n";
  head += "\r\n";
  const std::string body(options.body, 'x');

  std::vector<std::string> out;
  out.reserve(options.paths);
  for (size_t i = 0; i < options.paths; ++i) out.push_back(replaced(head, std::to_string(i)) + body);
  return out;
}

}  // namespace bench

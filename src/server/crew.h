// The workers as those see them who keep configuration: what is said here is said to each of them, as a message.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/fd.h"
#include "server/shared.h"
#include "upstream/spec.h"

namespace weir::server {

class Crew {
 public:
  virtual size_t size() const = 0;
  virtual void putCluster(const upstream::ClusterSpec& spec) = 0;
  virtual void removeCluster(const std::string& name) = 0;
  virtual void assign(const std::string& cluster, std::shared_ptr<const upstream::Assignment> endpoints) = 0;
  // In the place of the listener of that name, if there is one: its connections are asked to go, none is cut. One bound
  // socket for each worker.
  virtual void putListener(std::shared_ptr<SharedListener> listener, std::vector<net::Fd> sockets) = 0;
  virtual void removeListener(const std::string& name) = 0;
  // For every connection manager whose routes come from that source.
  virtual void setRoutes(uint64_t source, std::shared_ptr<const LoadedRoutes> routes) = 0;

 protected:
  ~Crew() = default;
};

}  // namespace weir::server

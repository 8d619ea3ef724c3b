#include "server/transports.h"

#include "config/secret_file.h"

namespace weir::server {

base::Result<std::unique_ptr<Transports>> Transports::create(event::Loop* loop, stats::Store& store) {
  std::unique_ptr<event::FileWatch> files;
  if (loop != nullptr) {
    auto opened = event::FileWatch::open(*loop);
    if (!opened.ok()) return std::move(opened).error();
    files = std::move(*opened);
  }
  return std::unique_ptr<Transports>(new Transports(store, std::move(files)));
}

Transports::Transports(stats::Store& store, std::unique_ptr<event::FileWatch> files)
    : store_(store), files_(std::move(files)) {}

tls::Following Transports::following() { return {files_.get(), config::resolveSecrets}; }

base::Result<std::shared_ptr<tls::LiveServer>> Transports::serve(const tls::ServerSpec& spec,
                                                                 const std::string& listener_prefix) {
  auto live = tls::LiveServer::create(spec, store_, listener_prefix, base::systemClock(), following());
  if (!live.ok()) return std::move(live).error().in(spec.path);
  return live;
}

base::Result<void> Transports::prepare(upstream::ClusterSpec& spec) {
  if (!spec.tls) return base::Ok{};
  const std::string& name = spec.alt_stat_name.empty() ? spec.name : spec.alt_stat_name;
  auto live = tls::LiveClient::create(*spec.tls, store_, "cluster." + name + ".", following());
  if (!live.ok()) return std::move(live).error().in(spec.tls->path);
  spec.live_tls = std::move(*live);
  return base::Ok{};
}

}  // namespace weir::server

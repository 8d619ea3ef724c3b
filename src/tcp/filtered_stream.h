// A client's connection as it is behind network filters: for what serves byte streams itself and is no network filter
// (HTTP).
//
//   socket <-> tcp::Connection (its filters, and as the last one the outlet) <-> this stream <-> receiver
//
// Closing it closes the connection, which the filters hear of; when a filter closes the connection, the receiver hears
// onClosed(). Belongs to the worker's thread; destroyed as any stream: the connection goes at the end of the turn.
#pragma once

#include <memory>

#include "event/lifeline.h"
#include "event/timer.h"
#include "net/byte_stream.h"
#include "tcp/connection.h"

namespace weir::tcp {

class FilteredStream final : public net::ByteStream {
 public:
  // chain: its filters end no chain; it must outlive the stream and the turn in which that ends.
  FilteredStream(Chain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info);
  ~FilteredStream() override;

  // net::ByteStream
  void start(Receiver& receiver) override;
  void write(base::BufferChain& bytes) override;
  void pauseReading() override;
  void resumeReading() override;
  void finishWriting() override;
  void close(Close how) override;
  size_t unsent() const override;
  void setHighWatermark(size_t /*bytes*/) override {}  // The chain's limit is the listener's, too.
  const net::Address& local() const override { return local_; }
  const net::Address& peer() const override { return peer_; }
  const net::TlsInfo* tls() const override { return tls_.get(); }

 private:
  class Outlet;
  class Inner;

  void arrived(base::BufferChain& bytes, bool end);
  void offer();
  void ended(Ending ending);
  void flushed();

  Chain& chain_;
  const net::Address local_;
  const net::Address peer_;
  const std::shared_ptr<const net::TlsInfo> tls_;
  Receiver* receiver_ = nullptr;  // Null before start() and after the end.
  ConnectionHandle* outlet_ = nullptr;
  std::unique_ptr<Inner> inner_;
  base::BufferChain in_;  // Come through the filters, and not taken.
  bool end_came_ = false;
  bool end_told_ = false;
  bool paused_ = false;
  bool closed_ = false;
  event::Timer offer_;
  event::Lifeline lifeline_;
};

}  // namespace weir::tcp

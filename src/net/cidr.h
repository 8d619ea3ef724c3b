// A range of IP addresses: the first `length` bits of an address. A plain value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/address.h"

namespace weir::net {

class Cidr {
 public:
  // "10.1.2.3" with 8 is 10.0.0.0/8: bits behind the length are cleared. A length longer than the address is cut to it,
  // as Envoy does.
  static base::Result<Cidr> parse(std::string_view ip, uint32_t length);

  int family() const { return family_; }
  uint8_t length() const { return length_; }
  // False for an address of another family.
  bool contains(const Address& address) const;
  std::string toString() const;  // "10.0.0.0/8"
  bool operator==(const Cidr& other) const = default;

 private:
  int family_ = 0;
  uint8_t length_ = 0;
  uint8_t bytes_[16] = {};
};

}  // namespace weir::net

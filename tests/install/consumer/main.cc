// A program outside the tree: uses an installed header, links an installed library.
#include <string>

#include "overlay/node_id.h"

int main() {
  const std::string text(40, 'a');
  const auto id = tombolo::NodeId::FromHex(text);
  return id && id->ToHex() == text ? 0 : 1;
}

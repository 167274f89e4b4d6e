// A document's view that is worked out when somebody first looks: of most commits nobody does. Copies share it. Any
// thread may look.
#pragma once

#include <memory>
#include <mutex>

#include "crdt/document.hpp"

namespace fermata::store {

class LazyView {
 public:
  explicit LazyView(crdt::Document document) : state_(std::make_shared<State>(std::move(document))) {}

  operator const Map&() const {
    std::call_once(state_->once, [this] { state_->view = state_->document.view(); });
    return state_->view;
  }

 private:
  struct State {
    explicit State(crdt::Document from) : document(std::move(from)) {}
    crdt::Document document;
    std::once_flag once;
    Map view;
  };
  std::shared_ptr<State> state_;
};

}  // namespace fermata::store

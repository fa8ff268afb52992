// The threads that share the rows of one kernel.
#pragma once
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace {

// They sleep in between kernels and live as long as the process.
class Workers {
 public:
  static Workers& get() {
    static Workers* workers = new Workers;  // never freed: its threads may outlive static objects
    return *workers;
  }

  // Calls work(begin, end) until all rows are done; a row costs about `cost` numbers.
  void run(int64_t rows, int64_t cost, const std::function<void(int64_t, int64_t)>& work) {
    std::unique_lock<std::mutex> alone(running_, std::try_to_lock);
    if (count_ == 0 || rows * cost < kSmall || !alone.owns_lock()) return work(0, rows);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      work_ = &work;
      rows_ = rows;
      chunk_ = std::max<int64_t>(1, rows / (4 * (count_ + 1)));
      next_ = 0;
      busy_ = count_;
      turn_++;
    }
    wake_.notify_all();
    take();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  static constexpr int64_t kSmall = 1 << 14;

  Workers() : count_(std::max(1u, std::thread::hardware_concurrency()) - 1) {
    for (int i = 0; i < count_; i++) std::thread([this] { live(); }).detach();
  }

  void live() {
    for (uint64_t seen = 0;;) {
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return turn_ != seen; });
        seen = turn_;
      }
      take();
      std::lock_guard<std::mutex> lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  void take() {
    for (int64_t begin; (begin = next_.fetch_add(chunk_)) < rows_;) {
      (*work_)(begin, std::min(rows_, begin + chunk_));
    }
  }

  const int count_;
  std::mutex running_, mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int64_t, int64_t)>* work_ = nullptr;
  int64_t rows_ = 0, chunk_ = 1;
  std::atomic<int64_t> next_{0};
  int busy_ = 0;
  uint64_t turn_ = 0;
};

}  // namespace

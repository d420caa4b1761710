package io.ledgerkeep.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class CachedTest {

  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 5); // runs over, as it may
  private final AtomicInteger looks = new AtomicInteger();

  private void pass(Duration duration) {
    now.addAndGet(duration.toNanos());
  }

  @Test
  void theSourceIsAskedAgainOnlyWhenTheValueIsOld() {
    Cached<Integer> cached = new Cached<>(looks::incrementAndGet, Duration.ofSeconds(5), now::get);
    assertThat(cached.get()).isEqualTo(1);
    pass(Duration.ofMillis(4999));
    assertThat(cached.get()).isEqualTo(1);
    pass(Duration.ofMillis(1));
    assertThat(cached.get()).isEqualTo(2);
  }

  @Test
  void aFailureIsNothingAndIsNotRepeatedAtOnce() {
    Cached<Integer> cached =
        new Cached<>(
            () -> {
              looks.incrementAndGet();
              throw new IllegalStateException("no answer");
            },
            Duration.ofSeconds(5),
            now::get);
    assertThat(cached.get()).isNull();
    assertThat(cached.get()).isNull();
    assertThat(looks).hasValue(1);
  }

  @Test
  void whileOneThreadLooksTheOthersDoNotWait() throws InterruptedException {
    CountDownLatch looking = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    Cached<Integer> cached =
        new Cached<>(
            () -> {
              int look = looks.incrementAndGet();
              if (look == 2) {
                looking.countDown();
                await(answer);
              }
              return look;
            },
            Duration.ofSeconds(5),
            now::get);
    assertThat(cached.get()).isEqualTo(1);
    pass(Duration.ofSeconds(6));
    Thread slow = new Thread(cached::get);
    slow.start();
    looking.await();
    assertThat(cached.get()).as("the one before").isEqualTo(1);
    pass(Duration.ofMinutes(1));
    assertThat(cached.get()).as("too old").isNull();
    answer.countDown();
    slow.join();
    assertThat(cached.get()).isEqualTo(2);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

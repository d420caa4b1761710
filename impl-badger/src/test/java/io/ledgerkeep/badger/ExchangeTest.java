package io.ledgerkeep.badger;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.ledgerkeep.badger.proto.EngineGrpc;
import io.ledgerkeep.badger.proto.GetRequest;
import io.ledgerkeep.badger.proto.GetResponse;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A call whose connection is closed under it. */
final class ExchangeTest {

  /** Answers, and then refuses a step, as does a connection whose thread has ended. */
  private static final class ClosedUnder<Q, R> extends ClientCall<Q, R> {

    private final R answer;
    private int stepsLeft;

    ClosedUnder(R answer, int steps) {
      this.answer = answer;
      this.stepsLeft = steps;
    }

    private void step() {
      if (stepsLeft-- == 0) {
        throw new RejectedExecutionException("event executor terminated");
      }
    }

    @Override
    public void start(Listener<R> listener, Metadata headers) {
      step();
      listener.onMessage(answer);
    }

    @Override
    public void request(int messages) {
      step();
    }

    @Override
    public void cancel(@Nullable String why, @Nullable Throwable cause) {
      step();
    }

    @Override
    public void halfClose() {
      step();
    }

    @Override
    public void sendMessage(Q message) {
      step();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4})
  void itFailsAsOneWithoutASidecar(int steps) {
    Channel channel =
        new Channel() {
          @Override
          public <Q, R> ClientCall<Q, R> newCall(
              MethodDescriptor<Q, R> method, CallOptions options) {
            return new ClosedUnder<>(
                method.parseResponse(GetResponse.newBuilder().build().toByteString().newInput()),
                steps);
          }

          @Override
          public String authority() {
            return "nowhere";
          }
        };
    assertThatExceptionOfType(StatusRuntimeException.class)
        .isThrownBy(
            () ->
                Exchange.unary(
                    channel,
                    EngineGrpc.getGetMethod(),
                    CallOptions.DEFAULT,
                    GetRequest.newBuilder().setKey(ByteString.EMPTY).build()))
        .matches(e -> e.getStatus().getCode() == Status.Code.UNAVAILABLE);
  }
}

package io.ledgerkeep.badger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.badger.proto.GetResponse;
import io.ledgerkeep.badger.proto.MultiGetRequest;
import io.ledgerkeep.badger.proto.MultiGetResponse;
import io.ledgerkeep.error.StorageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Gets the values of many keys with as few calls as their sizes allow. */
final class MultiGet {

  private static final int MAX_KEYS = 1024;
  private static final int MAX_KEY_BYTES = 1 << 20;

  private MultiGet() {}

  static List<Optional<Bytes>> all(
      List<Bytes> keys, Function<MultiGetRequest.Builder, MultiGetResponse> call) {
    List<Optional<Bytes>> values = new ArrayList<>(keys.size());
    while (values.size() < keys.size()) {
      if (keys.get(values.size()).isEmpty()) {
        values.add(Optional.empty());
      } else {
        MultiGetRequest.Builder request = request(keys.subList(values.size(), keys.size()));
        List<GetResponse> results = call.apply(request).getResultsList();
        if (results.isEmpty() || results.size() > request.getKeysCount()) {
          throw new StorageException(
              StorageException.Kind.FATAL,
              "the sidecar answered %s keys with %s values; it is another version than it says"
                  .formatted(request.getKeysCount(), results.size()));
        }
        results.forEach(result -> values.add(BadgerEngine.value(result)));
      }
    }
    return values;
  }

  /** Asks for the first of the keys; no key is empty, and the sidecar refuses those. */
  private static MultiGetRequest.Builder request(List<Bytes> keys) {
    MultiGetRequest.Builder request = MultiGetRequest.newBuilder();
    long bytes = 0;
    for (Bytes key : keys) {
      bytes += key.size();
      if (key.isEmpty()
          || request.getKeysCount() == MAX_KEYS
          || (bytes > MAX_KEY_BYTES && request.getKeysCount() > 0)) {
        break;
      }
      request.addKeys(BadgerEngine.wrapped(key));
    }
    return request;
  }
}

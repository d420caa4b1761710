package io.ledgerkeep.error;

/**
 * A setting is missing, unknown or does not fit what is on disk. Nothing was opened or changed.
 * What to do: correct the configuration; the message names the setting.
 */
public final class ConfigurationException extends LedgerkeepException {

  private static final long serialVersionUID = 1L;

  /** Creates the exception with a message that names the setting and what is allowed. */
  public ConfigurationException(String message) {
    super(message);
  }

  /** Creates the exception with the failure that lies behind it. */
  public ConfigurationException(String message, Throwable cause) {
    super(message, cause);
  }
}

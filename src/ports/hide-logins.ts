const LOGIN_IN_URL = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/]+@/gi;

/** What stands where something secret stood. */
export const HIDDEN = '[redacted]';

/** A text without the user and the password of the URLs in it. One that holds an unencoded `/` is not recognised. */
export const hideLogins = (text: string): string => text.replace(LOGIN_IN_URL, `$1${HIDDEN}@`);

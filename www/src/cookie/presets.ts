// Cookies that people want, filled in as they should be. A field that is not named is left out of the header.

export type CookieForm = Record<string, string | boolean>;

const TOKEN = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ1c2VyLTQ3MTEifQ.c2VhbGVk";

export const PRESETS: Readonly<Record<string, CookieForm>> = {
  session: {
    name: "__Host-access",
    value: TOKEN,
    path: "/",
    sameSite: "Strict",
    httpOnly: true,
    secure: true,
    maxAge: "604800",
  },
  // The refresh token goes to one address only; a `__Host-` cookie could not, its Path must be `/`.
  refresh: {
    name: "__Secure-refresh",
    value: TOKEN,
    path: "/api/auth/refresh",
    sameSite: "Strict",
    httpOnly: true,
    secure: true,
    maxAge: "604800",
  },
  // Inside another site's page: SameSite=None to be sent at all, Partitioned to be kept apart for each of those sites.
  embedded: {
    name: "__Host-widget",
    value: "c3VwcG9ydC1jaGF0",
    path: "/",
    sameSite: "None",
    httpOnly: true,
    secure: true,
    partitioned: true,
    maxAge: "86400",
  },
  preference: {
    name: "theme",
    value: "dark",
    path: "/",
    sameSite: "Lax",
    httpOnly: false,
    secure: true,
    maxAge: "31536000",
  },
};

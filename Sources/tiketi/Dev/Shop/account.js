// Pages of one's own account: where links in mails, and the way back from Google, lead to.

/** What went wrong, in the visitor's words. */
const messages = {
  code_over: "링크가 만료되었거나 이미 사용되었습니다. 메일을 다시 요청해 주세요.",
  wrong_password: "비밀번호가 맞지 않습니다.",
  too_many_attempts: "시도가 너무 많습니다. 잠시 후 다시 해 주세요.",
  google_email_unverified: "Google에서 확인되지 않은 이메일입니다.",
  link_needs_login: "이 이메일로 만든 계정이 있습니다. 비밀번호로 로그인한 뒤 Google을 연결하거나, 메일로 비밀번호를 새로 정해 주세요.",
  google_linked_elsewhere: "이 Google 계정 또는 이 계정은 이미 다른 계정과 연결되어 있습니다.",
  google_unavailable: "지금은 Google에 연결할 수 없습니다.",
  google_failed: "Google 로그인을 마치지 못했습니다. 다시 해 주세요.",
  last_way_in: "비밀번호가 없는 계정입니다. 먼저 메일로 비밀번호를 정해 주세요.",
};

/** What came behind the #. It is good once, and stays in no history. */
function fragment() {
  const values = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(null, "", location.pathname);
  return values;
}

/** The pages, of what the shop has: asking the API, making and showing elements, and who is signed in. */
export function accountPages({ api, make, link, show, doing, go, isSignedIn, signIn }) {
  const said = (code, other = "다시 시도해 주세요.") => Object.hasOwn(messages, code) ? messages[code] : other;

  async function ask(method, path, body) {
    try {
      return await api(method, path, body);
    } catch (error) {
      error.message = said(error.code, error.message);
      throw error;
    }
  }

  const input = (name, type, label, autocomplete, more = {}) =>
    make("label", {}, label, make("input", { name, type, autocomplete, required: "", ...more }));
  const form = (button, fields, action) => make("form", { class: "stack", onsubmit: doing(async (event) =>
    action(Object.fromEntries(new FormData(event.target)))) }, ...fields, make("button", {}, button));
  const told = (title, ...more) => show(make("h1", {}, title), ...more);
  const broken = () => told("메일의 링크를 다시 열어 주세요", link("/forgot-password", "메일 다시 받기"));

  /** The code is worth nothing without the password, or a session: anybody may register with a stranger's address. */
  async function verifyEmail() {
    const code = fragment().get("code");
    if (!code) return broken();
    const done = () => told("이메일을 확인했습니다", link(isSignedIn() ? "/" : "/login", isSignedIn() ? "공연 보기" : "로그인"));
    if (isSignedIn()) {
      try {
        await ask("POST", "/api/users/email/verify", { code });
        return done();
      } catch (error) {
        // Signed in to another account.
        if (error.code !== "login_required") throw error;
      }
    }
    told("이메일 확인", make("p", {}, "회원 가입할 때 정한 비밀번호를 입력해 주세요."),
      form("확인", [input("password", "password", "비밀번호", "current-password")], async ({ password }) => {
        await ask("POST", "/api/users/email/verify", { code, password });
        done();
      }),
      make("p", { class: "muted" }, "가입한 적이 없다면 이 메일은 무시하세요. ", link("/forgot-password", "비밀번호를 모릅니다")));
  }

  async function forgotPassword() {
    told("비밀번호 찾기", form("메일 받기", [input("email", "email", "이메일", "username")], async ({ email }) => {
      await ask("POST", "/api/users/password/forgot", { email });
      told("메일을 확인해 주세요", make("p", {}, "계정이 있다면 비밀번호를 새로 정하는 링크를 보냈습니다. 10분 동안 쓸 수 있습니다."));
    }));
  }

  async function resetPassword() {
    const code = fragment().get("code");
    if (!code) return broken();
    told("새 비밀번호", form("정하기",
      [input("newPassword", "password", "새 비밀번호 (8자 이상)", "new-password", { minlength: 8 })],
      async ({ newPassword }) => {
        await ask("POST", "/api/users/password/reset", { code, newPassword });
        signIn(null);
        told("비밀번호를 정했습니다", make("p", {}, "다른 곳에서는 11분 안에 모두 로그아웃됩니다."), link("/login", "로그인"));
      }));
  }

  /** Back from Google: a code that this browser alone makes a session of, or what went wrong. */
  async function googleCallback() {
    const values = fragment();
    if (values.has("linked")) return told("Google 계정을 연결했습니다", link("/my", "내 예매"));
    if (!values.has("code")) {
      return told("Google 로그인", make("p", { class: "problem", role: "alert" }, said(values.get("error"))),
        make("p", {}, link("/login", "로그인"), " · ", link("/forgot-password", "비밀번호 찾기")));
    }
    signIn((await ask("POST", "/api/users/google/exchange", { code: values.get("code") })).accessToken);
    const to = sessionStorage.after || "/";
    delete sessionStorage.after;
    return go(to);
  }

  async function hasGoogle() {
    const response = await fetch("/api/users/providers");
    return response.ok && (await response.json()).providers.includes("google");
  }

  /** The way to Google, where it is set up; nothing else. */
  async function googleButton() {
    return await hasGoogle() ? make("p", {}, make("a", { href: "/api/users/google" }, "Google로 로그인")) : null;
  }

  /** A button that asks for the account's password first, if it has one. */
  const confirmed = (button, me, action) => make("div", {}, make("button", { class: "quiet", onclick: doing(async (event) => {
    if (!me.hasPassword) return action({});
    event.currentTarget.replaceWith(
      form(button, [input("currentPassword", "password", "현재 비밀번호", "current-password")], action));
  }) }, button));

  /** Whose account it is, and how it is signed in to. */
  async function about() {
    const me = await ask("GET", "/api/users/profile");
    const parts = [make("p", {}, `${me.name} · ${me.email}`)];
    if (!me.emailVerified) {
      parts.push(make("p", {}, "이메일이 아직 확인되지 않았습니다. ", make("button", { class: "quiet", onclick: doing(async (event) => {
        const button = event.currentTarget;
        await ask("POST", "/api/users/email/resend");
        button.replaceWith("메일을 보냈습니다.");
      }) }, "확인 메일 받기")));
    } else if (me.providers.includes("google")) {
      parts.push(confirmed("Google 연결 끊기", me, async (fields) => {
        await ask("POST", "/api/users/google/unlink", fields);
        await go("/my");
      }));
    } else if (await hasGoogle()) {
      parts.push(confirmed("Google 연결하기", me, async (fields) => {
        location.href = (await ask("POST", "/api/users/google/link", fields)).url;
      }));
    }
    return make("section", {}, ...parts);
  }

  return { verifyEmail, forgotPassword, resetPassword, googleCallback, googleButton, about };
}

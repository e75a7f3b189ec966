/* The point of a picture that is kept in view wherever it is cut: a click, or two sliders. */
import { button, openDialog } from "./dialogs";
import { t } from "../language/words";

interface Pointing {
  name: string;
  picture: string;
  focal: string | undefined;
}

const PERCENT = 100;

function slider(words: string, value: number, change: (value: number) => void): HTMLInputElement {
  const settings = { type: "range", min: "0", max: String(PERCENT), step: "1" };
  const input = Object.assign(document.createElement("input"), settings);
  input.value = String(value * PERCENT);
  const place = document.createElement("label");
  place.append(words, input);
  input.addEventListener("input", () => change(Number(input.value) / PERCENT));
  return input;
}

/** Resolves with the point as `0.5,0.25`; undefined if it was given up. */
export function point({ name, picture, focal }: Pointing): Promise<string | undefined> {
  const { dialog, body, foot } = openDialog("cropper", t("Point to keep in view of {name}", { name }));
  let [x = 0.5, y = 0.5] = (focal || "0.5,0.5").split(",").map(Number);
  let result: string | undefined;
  const stage = Object.assign(document.createElement("div"), {
    className: "cropper__stage cropper__stage--point",
  });
  const image = Object.assign(document.createElement("img"), { src: picture, alt: "" });
  const mark = Object.assign(document.createElement("span"), { className: "cropper__mark" });
  const across = slider(t("From left to right"), x, (value) => set(value, y));
  const down = slider(t("From top to bottom"), y, (value) => set(x, value));
  const set = (left: number, top: number): void => {
    [x, y] = [left, top];
    mark.style.left = `${x * PERCENT}%`;
    mark.style.top = `${y * PERCENT}%`;
    across.value = String(Math.round(x * PERCENT));
    down.value = String(Math.round(y * PERCENT));
  };
  stage.append(image, mark);
  stage.addEventListener("pointerdown", (event) => {
    const box = stage.getBoundingClientRect();
    set((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  });
  const sliders = Object.assign(document.createElement("div"), { className: "cropper__sliders" });
  sliders.append(across.parentElement as Element, down.parentElement as Element);
  body.append(stage, sliders);
  set(x, y);
  const done = button(t("Use this point"));
  done.addEventListener("click", () => {
    result = `${x.toFixed(3)},${y.toFixed(3)}`;
    dialog.close();
  });
  const cancel = button(t("Cancel"), "button button--quiet");
  cancel.addEventListener("click", () => dialog.close());
  foot.append(done, cancel);
  across.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(result));
  });
}

/* A picture of the site's own set. */

export function Icon({ name }: { name: string }) {
  const file = document.querySelector<HTMLElement>("#uploads")?.dataset.icons ?? "";
  return (
    <svg class="icon" aria-hidden="true" focusable="false">
      <use href={`${file}#${name}`} />
    </svg>
  );
}

interface Pressing {
  icon: string;
  label: string;
  onPress: () => void;
  expanded?: boolean;
}

export function IconButton({ icon, label, onPress, expanded }: Pressing) {
  const state = expanded === undefined ? {} : { "aria-expanded": expanded };
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      onClick={onPress}
      {...state}
    >
      <Icon name={icon} />
    </button>
  );
}

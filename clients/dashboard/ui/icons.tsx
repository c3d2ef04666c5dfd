const PATHS = {
  check: 'M3.500 8.500l3 3 6-7',
  cross: 'M4 4l8 8M12 4l-8 8',
  warning: 'M8 2.500l6 11H2zM8 6.500v3.200M8 11.600v.1',
  more: 'M3.500 8h.01M8 8h.01M12.500 8h.01',
  share: 'M8 9.500V2.500M5.500 5L8 2.500 10.500 5M3.500 8.500v5h9v-5',
  stop: 'M4.500 4.500h7v7h-7z',
  bell: 'M4.500 11V7a3.500 3.500 0 017 0v4l1 1h-9zM7 14h2',
  search: 'M7 11.500a4.500 4.500 0 100-9 4.500 4.500 0 000 9zM10.500 10.500L14 14',
  auto: 'M8 2.500a5.500 5.500 0 100 11zM8 2.500a5.500 5.500 0 010 11',
  light:
    'M8 5a3 3 0 100 6 3 3 0 000-6zM8 1.500v1M8 13.500v1M1.500 8h1M13.500 8h1M3.400 3.400l.7.7M11.900 11.900l.7.7M3.400 12.600l.7-.7M11.900 4.100l.7-.7',
  dark: 'M13 9.500A5.500 5.500 0 016.500 3 5.500 5.500 0 1013 9.500z',
  play: 'M5 3.500l7.500 4.500L5 12.500z',
  pause: 'M5.500 3.500v9M10.500 3.500v9',
  back: 'M9.500 3.500L5 8l4.500 4.500',
  down: 'M4 6.500L8 10.500l4-4',
  up: 'M4 9.500L8 5.500l4 4',
  download: 'M8 2.500v7M5 6.500l3 3 3-3M3 13.500h10',
  machine:
    'M3.500 3.500h9v9h-9zM6 6h4v4H6zM6 3.500v-2M10 3.500v-2M6 14.500v-2M10 14.500v-2M3.500 6h-2M3.500 10h-2M14.500 6h-2M14.500 10h-2',
  copy: 'M5.500 5.500h7v8h-7zM3.500 10.500v-8h7',
  reset: 'M3 8a5 5 0 105-5H4.500M6.500 1L4.500 3l2 2',
} as const

/** Beside a text, or in a button that has a label: of no use to who cannot see it. */
export const Icon = ({ name }: { name: keyof typeof PATHS }) => (
  <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
    <path d={PATHS[name]} />
  </svg>
)

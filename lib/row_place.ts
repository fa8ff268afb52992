/** Where a row stands in a file: its line is counted from 1. */
export type RowPlace = { path: string; line: number };

/** Rows are plain data that users make and copy; where one was read from is kept beside it. */
const places = new WeakMap<object, RowPlace>();

/** Notes where a row was read, or what it was made of stands. Returns the row. */
export function placeRow<Row extends object>(row: Row, place: RowPlace | undefined): Row {
  if (place) places.set(row, place);
  return row;
}

/** Where a row was read; undefined for one that was made in a program. */
export function placeOf(row: object): RowPlace | undefined {
  return places.get(row);
}

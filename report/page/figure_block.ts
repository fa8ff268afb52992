import type { Figure, FigureTable } from "../figures/figure.ts";
import { type Markup, markup } from "../markup.ts";

/**
 * A figure's place: the page's script draws into it; its words and numbers stand there without it.
 *
 * @param level Of the heading.
 */
export function figureBlock({ id, title, summary, table }: Figure, level: 3 | 4 = 3): Markup {
  const heading = level === 3
    ? markup`<h3 id="${id}_title">${title}</h3>`
    : markup`<h4 id="${id}_title">${title}</h4>`;
  return markup`<figure class="figure" aria-labelledby="${id}_title">
${heading}
<div class="plot" id="${id}" data-figure="${id}" role="img" aria-label="${title}. ${summary}"></div>
<figcaption>${summary}</figcaption>
${numbers(title, table)}
</figure>`;
}

function numbers(title: string, table: FigureTable): Markup | null {
  if (table.rows.length === 0) return null;
  return markup`<details class="numbers"><summary>Numbers</summary>${
    plainTable(`Numbers: ${title}`, table)
  }</details>`;
}

/** A small table under a name of its own, whose first column names the rows. */
export function plainTable(name: string, { head, rows }: FigureTable): Markup {
  return markup`
    <div class="scroll" tabindex="0" role="region" aria-label="${name}">
      <table>
        <thead>
          <tr>${head.map((text) => markup`<th scope="col">${text}</th>`)}</tr>
        </thead>
        <tbody>${
    rows.map(([first, ...rest]) =>
      markup`<tr><th scope="row"><bdi>${first}</bdi></th>${
        rest.map((cell) => markup`<td><bdi>${cell}</bdi></td>`)
      }</tr>`
    )
  }</tbody>
      </table>
    </div>
  `;
}

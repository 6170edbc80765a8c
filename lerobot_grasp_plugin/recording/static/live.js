"use strict";

const element = (id) => document.getElementById(id);
const probabilities = [];
let threshold = 0.5;
let number = -1;

function draw() {
  const canvas = element("curve");
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  context.strokeStyle = "#b0b6bd";
  context.beginPath();
  context.moveTo(0, (1 - threshold) * height);
  context.lineTo(width, (1 - threshold) * height);
  context.stroke();
  context.strokeStyle = "#1e50be";
  context.lineWidth = 2;
  context.beginPath();
  probabilities.forEach((value, index) => context.lineTo(index * 4, (1 - value) * height));
  context.stroke();
}

function show(latest) {
  threshold = latest.threshold;
  element("threshold").textContent = threshold.toFixed(2);
  element("error").textContent = "";
  if (latest.number < 0 || latest.number === number) return;
  number = latest.number;
  probabilities.push(latest.probability);
  if (probabilities.length > 160) probabilities.shift();
  const success = latest.probability > threshold;
  element("verdict").className = success ? "success" : "";
  element("verdict").textContent = `${success ? "\u2713 success" : "failure"} ${latest.probability.toFixed(3)}`;
  element("speed").textContent = `${latest.per_second} images a second`;
  for (const [key, data] of Object.entries(latest.images)) {
    let image = element(key);
    if (!image) {
      image = document.createElement("img");
      image.id = image.alt = key;
      element("images").append(image);
    }
    image.src = data;
  }
  draw();
}

async function change(by) {
  const value = Math.min(0.99, Math.max(0.01, threshold + by));
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ threshold: value });
  const answer = await fetch("api/threshold", { method: "POST", headers, body });
  if (answer.ok) threshold = (await answer.json()).threshold;
  element("threshold").textContent = threshold.toFixed(2);
  draw();
}

const KEYS = { "+": 0.01, "=": 0.01, "-": -0.01, "]": 0.05, "[": -0.05 };
document.addEventListener("keydown", (event) => {
  if (event.key in KEYS) change(KEYS[event.key]);
});

async function follow() {
  try {
    const answer = await fetch("api/latest");
    show(await answer.json());
  } catch {
    element("error").textContent = "The command has ended.";
  }
  setTimeout(follow, 100);
}
follow();

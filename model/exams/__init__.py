"""Multiple-choice exams: layouts, prompts, and which option an answer chose."""

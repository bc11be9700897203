"""What a gate accepts and expects: waivers, baselines, allowed gaps and expectations."""

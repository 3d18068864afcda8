import './direct-resolution.ts';

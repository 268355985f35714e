# Validates feeds, each in a file that is named, with Ruby's own RSS library: Atom (RFC 4287) and RSS 2.0.
# Prints what is wrong, one line each: the file's name, a tab, and the complaint.
require "rss"

ARGV.each do |path|
  feed = RSS::Parser.parse(File.read(path), validate: true)
  puts "#{path}\tneither Atom nor RSS" if feed.nil?
rescue RSS::Error => error
  puts "#{path}\t#{error.class}: #{error.message}"
end

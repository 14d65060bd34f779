using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;

namespace Dunlin.Runtime.Cameras;

internal enum ImageReading
{
    Read = 1,
    Vanished = 2,
    Corrupt = 3,
}

/// <summary>The images of a folder by ordinal name; those up to 64 MiB together stay in memory. Not thread-safe.</summary>
internal sealed class ImageFolder(string path)
{
    private const long LargestImage = 16 << 20;
    private const long LargestCache = 64 << 20;
    private readonly Dictionary<string, CachedImage> _cache = new(StringComparer.Ordinal);
    private string[] _files = [];
    private long _listed;
    private long _cachedBytes;

    public int Count => _files.Length;

    public string NameOf(int index) => Path.GetFileName(_files[index]);

    /// <summary>
    /// Lists the folder again when the last listing is a second old, a frozen one only while it is empty; null when it holds files.
    /// </summary>
    public CameraFault? Refresh(long nanoseconds, bool isFrozen)
    {
        if (_files.Length > 0 && (isFrozen || nanoseconds - _listed < 1_000_000_000)) return null;
        try
        {
            _files = [.. Directory.EnumerateFiles(path).Where(LooksLikeImage).Order(StringComparer.Ordinal)];
            _listed = nanoseconds;
            Forget(_cache.Keys.Except(_files).ToList());
            return _files.Length > 0 ? null : new(CameraStates.Absent, $"Folder '{path}' holds no JPEG image; put some there.");
        }
        catch (DirectoryNotFoundException)
        {
            _files = [];
            return new(CameraStates.Absent, $"Folder '{path}' does not exist; create it, or name another in the configuration.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _files = [];
            return new(CameraStates.Failed, $"Folder '{path}' cannot be listed ({error.Message}); let the service's user read it.");
        }
    }

    /// <summary>Fills the frame's content. A trusted cache is not compared with the file again.</summary>
    public ImageReading Read(int index, FrameBuffer frame, bool isCacheTrusted)
    {
        var file = _files[index];
        var isCached = _cache.TryGetValue(file, out var cached);
        if (isCached && (isCacheTrusted || cached.Written == File.GetLastWriteTimeUtc(file)))
        {
            cached.Bytes.CopyTo(frame.Resize(cached.Bytes.Length));
            return ImageReading.Read;
        }

        if (isCached) Forget([file]);
        try
        {
            return ReadFile(file, frame);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return ImageReading.Vanished;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ImageReading.Corrupt;
        }
    }

    private ImageReading ReadFile(string file, FrameBuffer frame)
    {
        using var handle = File.OpenHandle(file);
        var written = File.GetLastWriteTimeUtc(handle);
        var length = RandomAccess.GetLength(handle);
        if (length is < 4 or > LargestImage) return ImageReading.Corrupt;
        var bytes = frame.Resize((int)length);
        var filled = 0;
        while (filled < bytes.Length && RandomAccess.Read(handle, bytes[filled..], filled) is > 0 and var read) filled += read;
        if (filled < bytes.Length || !JpegHeader.HasMagic(bytes)) return ImageReading.Corrupt;
        if (_cachedBytes + length <= LargestCache)
        {
            _cache[file] = new CachedImage(bytes.ToArray(), written);
            _cachedBytes += length;
        }

        return ImageReading.Read;
    }

    private void Forget(IReadOnlyList<string> files)
    {
        foreach (var file in files)
        {
            if (_cache.Remove(file, out var image)) _cachedBytes -= image.Bytes.Length;
        }
    }

    private static bool LooksLikeImage(string file)
    {
        try
        {
            using var handle = File.OpenHandle(file);
            Span<byte> head = stackalloc byte[3];
            return RandomAccess.Read(handle, head, 0) == 3 && JpegHeader.HasMagic(head);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private readonly record struct CachedImage(byte[] Bytes, DateTime Written);
}

using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Dunlin.Contracts.Artifacts;
using Dunlin.Optimizer.Data;
using Microsoft.Win32.SafeHandles;

namespace Dunlin.Optimizer.Training;

/// <summary>
/// What a teacher says of some views of each image: computed when it is first asked for, on several threads, and kept in a file, so that
/// later epochs, the same run after an interruption, and other students of the same teacher have it for nothing.
/// </summary>
internal sealed class TeacherLogits : IDisposable
{
    private const string Form = "dunlin.teacher-logits.v1";
    private readonly OnnxTeacher _teacher;
    private readonly PixelSet _images;
    private readonly Augmentation _augmentation;
    private readonly int _threadCount, _recordLength;
    private readonly SafeFileHandle _file;

    /// <param name="teacher">Is asked.</param>
    /// <param name="images">The student's images as the teacher takes them.</param>
    /// <param name="options">Of the student's training.</param>
    /// <param name="threadCount">Images at once.</param>
    /// <param name="folder">Where to keep them, under a name of all that they depend on, for any number of students at once. Null: as long as this lives.</param>
    public TeacherLogits(OnnxTeacher teacher, PixelSet images, TrainingOptions options, int threadCount, string? folder)
    {
        (_teacher, _images, _threadCount) = (teacher, images, threadCount);
        _augmentation = new Augmentation(images, options.Augmentations, options.Seed);
        _recordLength = teacher.ClassCount + 1;
        if (folder is not null) Directory.CreateDirectory(folder);
        var key = Digest.Of(Encoding.UTF8.GetBytes($"{Form} {teacher.Content} {images.Key} {options.Augmentations} {options.Seed}"));
        _file = File.OpenHandle(
            folder is null ? Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()) : Path.Combine(folder, $"teacher-{key.Hex[..16]}.logits"),
            FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, folder is null ? FileOptions.DeleteOnClose : FileOptions.None);
    }

    /// <summary>How many answers the teacher had to compute.</summary>
    public int ComputedCount { get; private set; }

    /// <summary>The teacher, for who tells of it.</summary>
    public string Name => _teacher.Name;

    /// <summary>The logits of one view of some images, one after the other.</summary>
    public float[] Of(IReadOnlyList<int> indices, int view, CancellationToken cancellationToken)
    {
        var classes = _teacher.ClassCount;
        var logits = new float[indices.Count * classes];
        var missing = Enumerable.Range(0, indices.Count).Where(i => !TryRead(indices[i], view, logits.AsSpan(i * classes, classes))).ToList();
        var next = -1;
        if (missing.Count > 0) ThreadTeam.Run(Math.Min(_threadCount, missing.Count), () =>
        {
            var tensor = new float[_images.Size];
            for (int i; (i = Interlocked.Increment(ref next)) < missing.Count;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                _augmentation.Write(indices[missing[i]], view, tensor);
                _teacher.Answer(tensor, logits.AsSpan(missing[i] * classes, classes));
                Write(indices[missing[i]], view, logits.AsSpan(missing[i] * classes, classes));
            }
        }, cancellationToken);
        ComputedCount += missing.Count;
        return logits;
    }

    public void Dispose() => _file.Dispose();

    private bool TryRead(int index, int view, Span<float> logits)
    {
        Span<float> record = new float[_recordLength];
        if (RandomAccess.Read(_file, MemoryMarshal.AsBytes(record), Offset(index, view)) < _recordLength * sizeof(float)) return false;
        if (BitConverter.SingleToUInt32Bits(record[0]) != Sum(record[1..])) return false;
        record[1..].CopyTo(logits);
        return true;
    }

    private void Write(int index, int view, ReadOnlySpan<float> logits)
    {
        Span<float> record = new float[_recordLength];
        record[0] = BitConverter.UInt32BitsToSingle(Sum(logits));
        logits.CopyTo(record[1..]);
        RandomAccess.Write(_file, MemoryMarshal.AsBytes(record), Offset(index, view));
    }

    private long Offset(int index, int view) => ((long)view * _images.Count + index) * _recordLength * sizeof(float);

    // What an interrupted write left, or a hole in the file, has another sum; the sum of zeros is not zero.
    private static uint Sum(ReadOnlySpan<float> logits)
    {
        var sum = uint.MaxValue;
        foreach (var bits in MemoryMarshal.Cast<float, uint>(logits)) sum = BitOperations.Crc32C(sum, bits);
        return sum;
    }
}
